"""The sensor alerts about Dagster's failed runs at once, and a successful run ends the alert."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from robot_server import Robots

from pipelines.jobs.alerts import alert_failed_runs, alerts_job
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.alerts import list_alerts

pytestmark = pytest.mark.filterwarnings("ignore:Function .* that is passed to")


@dg.op(config_schema={"fails": bool})
def load(context: dg.OpExecutionContext) -> None:
    if context.op_config["fails"]:
        try:
            raise ValueError(
                "the platform says busy, access_token=act.0123456789abcdef\nand this second line is private"
            )
        except ValueError as error:
            raise dg.Failure(str(error), allow_retries=False) from error


@dg.job(executor_def=dg.in_process_executor)
def hot_words_job() -> None:
    load()


@pytest.fixture
def settings(tmp_path: Path, robots: Robots) -> Settings:
    address = robots.address("feishu")
    (tmp_path / "alerts.yaml").write_text(
        f'channels: {{ops: {{url: "{address}"}}}}\nroutes: [{{channels: [ops], kinds: [run_failed]}}]\n',
        encoding="utf-8",
    )
    return Settings(
        _env_file=None, home=tmp_path / "home", alerts_file=tmp_path / "alerts.yaml", start_date=date(2026, 11, 1)
    )


@pytest.mark.slow
def test_a_failed_run_is_alerted_at_once_and_a_good_one_resolves_it(settings: Settings, robots: Robots, tmp_path: Path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:

        def run(fails: bool) -> None:
            result = hot_words_job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                tags={"dagster/partition": "2026-11-16"},
                run_config={"ops": {"load": {"config": {"fails": fails}}}},
            )
            assert result.success is not fails
            if fails:
                context = dg.build_run_status_sensor_context(
                    sensor_name="tell_failed_runs",
                    dagster_instance=instance,
                    dagster_run=result.dagster_run,
                    dagster_event=result.get_run_failure_event(),
                ).for_run_failure()
                alert_failed_runs(settings)(context)

        def look() -> dg.ExecuteInProcessResult:
            return alerts_job.execute_in_process(
                instance=instance, raise_on_error=False, resources={"runtime": Runtime(settings)}
            )

        run(fails=True)
        (text,) = robots.texts
        head, zh, en, todo, since = text.splitlines()
        assert head == "【抖音数据】严重 critical · 运行失败 Run failed: hot_words_job (2026-11-16)"
        assert zh.startswith("任务 hot_words_job (2026-11-16) 在步骤 load 失败：the platform says busy")
        assert en.startswith("failed at load: the platform says busy")
        assert "douyin status" in todo
        assert since.endswith("#1")
        assert [s for s in ("0123456789abcdef", "second line") if s in text] == []

        run(fails=True)
        assert look().success
        assert len(robots.texts) == 1, "the job's second failure is the same matter"
        (open_one,) = list_alerts(Runtime(settings).state)
        assert open_one.times == 2

        run(fails=False)
        assert look().success
        assert robots.texts[1].startswith("【抖音数据】已恢复 over · 运行失败 Run failed: hot_words_job")
        assert list_alerts(Runtime(settings).state) == []

        settings.alerts_file.write_text("channel: {}\n", encoding="utf-8")
        failed = look()
        assert not failed.success
        (event,) = (
            failed.get_step_failure_events()
            if hasattr(failed, "get_step_failure_events")
            else [e for e in failed.all_events if e.is_step_failure]
        )
        assert "channel: Extra inputs are not permitted" in event.step_failure_data.user_failure_data.description
        run(fails=True)
        assert len(robots.texts) == 2, "a file that cannot be used sends nothing, and ends no tick"
