"""Fork a sender on each order from a process with all imports, since a hundred kills would be a hundred imports.

Orders are lines of JSON on standard input: ``{"settings": {DOUYIN_…}, "plan": number}``. The child is a process group
of its own and sends the rest of the plan. Replies are lines: ``started <pid>``, then ``ended <status>`` with the status
of waitpid.
"""

from __future__ import annotations

import json
import os
import sys


def work(order: dict) -> int:
    os.environ.update(order["settings"])
    from resources.config.settings import Settings
    from resources.runtime import Runtime
    from services.outreach.work import send_one

    runtime = Runtime(Settings(_env_file=None))
    done = send_one(runtime, order["plan"])
    runtime.close()
    return 1 if done.stopped else 0


def main() -> None:
    import resources.client.client  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            try:
                code = work(order)
            except BaseException as error:
                import traceback

                traceback.print_exception(error)
                code = 2
            sys.stderr.flush()
            os._exit(code)
        print("started", child, flush=True)
        print("ended", os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
