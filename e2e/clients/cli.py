"""Runs the AWS CLI for tests: reads lines of JSON, {"args": […], "env": {…}}, and answers
each with a line, {"code": …, "out": …, "err": …}.

Version 1 of the CLI is a Python program that takes most of a second to start. So it is started
once, runs a command that nobody sees, and every command runs in a fork of what that left. Where
python3 does not have it, the program aws is run instead."""

import contextlib
import gc
import json
import os
import sys
import tempfile
import traceback

try:
    from awscli.clidriver import create_clidriver
except ImportError:
    driver = None
else:
    sys.argv = ["aws"]
    driver = create_clidriver()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        driver.main(["firehose", "list-delivery-streams"])
    gc.freeze()  # so that forks share it


def child(args, env, out, err):
    os.environ.update(env)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    if driver is None:
        os.execvp("aws", ["aws", *args])
    sys.argv = ["aws", *args]
    try:
        # What was started has read its environment.
        return (create_clidriver() if env else driver).main(args)
    except SystemExit as e:
        return e.code
    except BaseException:
        traceback.print_exc()
        return 1


def run(args, env):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            code = child(args, env, out, err)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        texts = []
        for file in out, err:
            file.seek(0)
            texts.append(file.read().decode())
        return {"code": os.waitstatus_to_exitcode(status), "out": texts[0], "err": texts[1]}


for line in sys.stdin:
    command = json.loads(line)
    print(json.dumps(run(command["args"], command["env"])), flush=True)
