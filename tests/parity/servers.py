"""Server processes. In: a command and where it runs. Out: a process whose output goes to a file; and its end."""

import signal
import subprocess

END_SECONDS = 12.0


def start(command, directory, environment, log):
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=directory, env=environment, stdout=output, stderr=subprocess.STDOUT)


def end(process, number=signal.SIGTERM):
    process.send_signal(number)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
