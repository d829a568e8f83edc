from mrunners.render.markdown import job_rows
from tests.unit.render.guide_report import guide_report


def test_the_table_of_jobs_says_of_each_whether_it_is_complete_or_what_is_missing() -> None:
    assert [(row["job"], row["state"]) for row in job_rows(guide_report())] == [
        ("mrunners-0", "1 truncated"),
        ("mrunners-1", "complete"),
        ("mrunners-2", "complete"),
    ]
