"""Run the job of ``benchmarks.end_to_end`` as dlt does it.

It is run by the Python of ``.venv-bench``, which has dlt, and imports no code of the product. The accounts are a parent
resource and their videos a dependent one, fetched in parallel (REST API source, "Parallelize dependent resource
fetching"). A cursor in the body comes with ``has_more``. The session retries after HTTP 500 and after "too frequent"
(28003018). A response action checks every ``error_code``. Settings come as environment variables, from
:func:`benchmarks.end_to_end.dlt_environment`.
"""

import sys

import dlt
from dlt.sources.helpers.requests import Client
from dlt.sources.rest_api import rest_api_source
from requests import HTTPError

TOO_FREQUENT = b'"error_code":28003018'
BACKOFF = 0.2
"""First wait before a call is made again, in seconds; it doubles.

1,000 calls at 200/s took 5.8 s with it, 7.0 s with dlt's default of 1. Ours has the same here.
"""


def too_frequent(response, error) -> bool:
    """Report whether to retry: temporary refusals of the platform come with HTTP 200."""
    response = response if response is not None else getattr(error, "response", None)
    return response is not None and TOO_FREQUENT in response.content


def check(response, *args, **kwargs):
    """Check that ``error_code`` is 0, whatever the HTTP status.

    The text is searched, so the body is decoded once.
    """
    if response.status_code == 200 and b'"error_code":0' not in response.content:
        raise HTTPError(f"the platform refused: {response.text[:200]}", response=response)
    return response


def source(url: str, accounts: int):
    """Return the source with accounts and their videos."""
    session = Client(
        raise_for_status=False, retry_condition=too_frequent, request_max_attempts=10, request_backoff_factor=BACKOFF
    ).session
    numbers = [f"{n:08d}" for n in range(1, accounts + 1)]
    page = [{"open_id": f"bench-{n}", "access_token": f"act.{n}"} for n in numbers]
    listed = dlt.resource([page], name="accounts", selected=False)
    videos = {
        "name": "videos",
        "parallelized": True,
        "include_from_parent": ["open_id"],
        "endpoint": {
            "path": "api/douyin/v1/video/video_list/",
            "params": {"open_id": "{resources.accounts.open_id}", "count": 20},
            "headers": {"access-token": "{resources.accounts.access_token}"},
            "data_selector": "data.list",
            "paginator": {
                "type": "cursor",
                "cursor_path": "data.cursor",
                "cursor_param": "cursor",
                "has_more_path": "data.has_more",
            },
            "response_actions": [check],
        },
    }
    return rest_api_source({"client": {"base_url": url, "session": session}, "resources": [listed, videos]})


def main() -> None:
    """Run the pipeline that the arguments describe."""
    url, accounts, destination, where = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    target = (
        dlt.destinations.filesystem(bucket_url=f"file://{where}/lake")
        if destination == "parquet"
        else dlt.destinations.duckdb(f"{where}/warehouse.duckdb")
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench", destination=target, dataset_name="bench", pipelines_dir=f"{where}/pipelines"
    )
    pipeline.run(source(url, accounts), loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
