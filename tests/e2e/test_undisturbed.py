"""CDNOW's customers, scored by one process that nobody disturbs: every tier change as the oracle says."""

import pytest

import workload
from campaign import Campaign, check_counts, check_views, compare, flat


@pytest.fixture(params=["protobuf", "json", "confluent-protobuf"])
def campaign(request, kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path, format=request.param)
    yield run
    run.destroy()


def test_every_tier_change_is_as_the_oracle_says(campaign):
    campaign.load(workload.shop(seed=1))
    process = campaign.start(workers=1).wait_ready()  # a second would join later: what is in work counts anew
    campaign.wait_read()
    expected = campaign.expected()
    assert not expected.dead, list(expected.dead.items())[:3]
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    check_counts(campaign, expected)
    assert process.terminate() == 0
    check_views(process, expected.views)
