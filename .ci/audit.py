#!/usr/bin/env python3
"""Look up known vulnerabilities of a lock: ``audit.py PIP_AUDIT LOCK``.

Exit code 0: all were looked up and have none; 1: some have, which are printed; 2: the database could not be reached,
or does not answer for some packages, so that nothing is known of them.
"""

from __future__ import annotations

import json
import subprocess
import sys


def main(pip_audit: str, lock: str) -> int:
    command = [pip_audit, "--require-hashes", "--disable-pip", "-r", lock, "--progress-spinner=off", "--format=json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        dependencies = json.loads(run.stdout)["dependencies"]
    except ValueError:  # pip-audit ends with 1 in this case, too
        reason = (run.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"NOT AUDITED: the vulnerability database could not be reached: {reason}", file=sys.stderr)
        return 2
    skipped = [dependency for dependency in dependencies if "skip_reason" in dependency]
    vulnerable = [dependency for dependency in dependencies if dependency.get("vulns")]
    for dependency in vulnerable:
        for found in dependency["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no release yet"
            print(f"{dependency['name']} {dependency['version']}: {found['id']}, fixed in {fixed}")
    print(f"{len(dependencies) - len(skipped)} of {len(dependencies)} packages of {lock} were audited")
    if skipped:
        print(f"NOT AUDITED: {len(skipped)}, such as {skipped[0]['skip_reason']}", file=sys.stderr)
    return 1 if vulnerable else 2 if skipped else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
