"""Every metric in one ruleset: every tier change and notice, and what is told of customers, as the oracle says."""

import os

import pytest

import workload
from campaign import SLACK_MS, Campaign, check_counts, check_feedback, check_views, compare, flat
from rules_config import BG_NBD, RULES_EVERYTHING

FULL = os.environ.get("TIDEMARK_TESTS") == "full"
# The second with some of the customers: the oracle takes minutes for all.
VARIANTS = [("protobuf", {}, None), ("json", {"lifetime_value": BG_NBD, "feedback": {"ces": "mean"}}, None if FULL else 500)]
READY_TIMEOUT_S, DONE_TIMEOUT_S = 120, 3600 if FULL else 400


@pytest.fixture(params=VARIANTS, ids=["mbg", "bg"])
def campaign(request, kafka, redis_server, tmp_path):
    format_in, options, customers = request.param
    run = Campaign(kafka, redis_server, tmp_path, rules=RULES_EVERYTHING, format=format_in, **options)
    run.load(workload.shop(seed=1, customers=customers))
    yield run
    run.destroy()


def test_every_metric_is_as_the_oracle_says(campaign):
    process = campaign.start().wait_ready(READY_TIMEOUT_S)
    campaign.wait_read(DONE_TIMEOUT_S)
    expected = campaign.expected()
    assert not expected.dead, list(expected.dead.items())[:3]
    published = flat(expected.changes)
    assert {change["direction"] for change in published} == {"FIRST", "UP", "DOWN", "WILL_FALL"}
    campaign.wait_published(len(published))
    compare(campaign.published(), expected.changes, SLACK_MS)
    check_counts(campaign, expected)
    check_feedback(campaign, expected)
    assert process.terminate() == 0
    check_views(process, expected.views, lifetime=None, slack_ms=SLACK_MS)
