"""The operator's guide: its links lead somewhere; and every file of deploy/ is judged by some test."""

import re
import subprocess

from roots import REPO

GUIDE = REPO / "deploy" / "README.md"
# Pattern of a file in deploy/ -> the test that runs it, or reads it as what it is meant for would.
JUDGES = {
    "README.md": "deploy/test_guide.py", "overview.svg": "deploy/test_guide.py", "demo": "e2e/test_demo.py",
    "Dockerfile": "deploy/test_image.py", "image-root": "deploy/test_image.py",
    "compose.yaml": "deploy/test_manifests.py", "compose/tidemark.yaml": "deploy/test_manifests.py",
    "kubernetes/*.yaml": "deploy/test_manifests.py", "grafana/provisioning/*/*.yml": "deploy/test_manifests.py",
    "grafana/tidemark.json": "e2e/test_prometheus.py", "prometheus/*.yml": "deploy/test_rules.py",
    "systemd/tidemark.service": "deploy/test_unit.py", "debian/*": "deploy/test_package.py", "man/tidemark.1": "deploy/test_package.py",
    "completion/tidemark": "deploy/test_package.py",
}


def anchor_of(heading):
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_link_leads_somewhere():
    text = GUIDE.read_text()
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 15
    for link in links:
        path, _, anchor = link.partition("#")
        target = GUIDE if not path else (GUIDE.parent / path)
        assert target.exists(), link
        if anchor:
            assert anchor in {anchor_of(line.lstrip("#")) for line in target.read_text().splitlines() if line.startswith("#")}, link


def test_every_heading_that_the_text_sends_people_to_is_there():
    text = GUIDE.read_text()
    headings = {line.lstrip("# ") for line in text.splitlines() if line.startswith("#")}
    for name in re.findall(r"\((?:see )?\*([A-Z][\w ]+)\*\)", text):
        assert name in headings, name


def test_every_file_of_deploy_is_judged_by_a_test():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "deploy"], cwd=REPO, capture_output=True,
                            text=True, check=True).stdout
    files = {name.removeprefix("deploy/") for name in listed.split()}
    judged = {path.relative_to(REPO / "deploy").as_posix() for pattern in JUDGES for path in (REPO / "deploy").glob(pattern)}
    assert files == judged
    for test in JUDGES.values():
        assert (REPO / "tests" / test).is_file()


def test_the_picture_is_one():
    picture = (REPO / "deploy" / "overview.svg").read_text()
    assert picture.startswith("<svg") and picture.rstrip().endswith("</svg>")
    assert "deploy/overview.svg" in (REPO / "README.md").read_text()
