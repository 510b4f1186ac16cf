# SPDX-License-Identifier: MIT OR Apache-2.0
"""The servers: how each is found, named and started. A further peer is one more row of `SERVERS`.

All get the same terms: one worker, no access log, sendfile where there is a choice, no limit of
requests per connection that a run could reach.
"""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "bench" / "out"
WWW = OUT / "www"
BASELINE = "nginx"
REQUESTS = 1_000_000_000
BACKLOG = 4096

EVL_CONF = """\
worker_processes 1;
access_log off;
keepalive_requests {requests};
keepalive_timeout 600s;
server {{
    listen 127.0.0.1:{port} backlog={backlog};
    root {www};
}}
"""

NGINX_CONF = """\
daemon off;
{user}worker_processes 1;
pid {run}/nginx.pid;
error_log {run}/nginx.err crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    default_type application/octet-stream;
    keepalive_timeout 600s;
    keepalive_requests {requests};
    client_body_temp_path {run}/body;
    proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi;
    scgi_temp_path {run}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog={backlog};
        root {www};
        location = /hello {{ default_type text/plain; return 200 "Hello, World!"; }}
    }}
}}
"""

# h2o has no directive that answers with a fixed text: its hello is a file of 13 bytes.
H2O_CONF = """\
{user}num-threads: 1
http1-request-timeout: 600
pid-file: {run}/h2o.pid
error-log: {run}/h2o.err
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
      "/":
        file.dir: {www}
"""


@dataclass(frozen=True)
class Server:
    """A row of the report."""

    name: str
    program: str  # a path, or a name that is looked for in PATH
    command: Callable  # (program, workload, port, run folder) -> argv
    version: tuple = ()  # arguments that print the version
    package: str = ""  # where it comes from, if not from this repository
    make: str = ""  # the make target that builds it

    def found(self):
        """The program's path, or None."""
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        return shutil.which(self.program, path=path)

    def missing(self):
        """What to type to get it."""
        return f"apt-get install {self.package}" if self.package else f"make {self.make}"

    def describe(self):
        """Name and version in one phrase."""
        if not self.version:
            return self.name
        done = subprocess.run([self.found(), *self.version], capture_output=True, text=True, check=False)
        number = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
        return f"{self.name} {number.group() if number else '(version unknown)'}"


def configured(name, template, port, run, user_line=""):
    """Writes a configuration file and returns its path."""
    user = user_line.format(pwd.getpwuid(0).pw_name) if os.geteuid() == 0 and user_line else ""
    file = run / f"{name}.conf"
    file.write_text(template.format(port=port, run=run, www=WWW, requests=REQUESTS, backlog=BACKLOG, user=user))
    return str(file)


def evl_command(program, workload, port, run):
    """A callback in C for hello, the configured server for files."""
    if not workload.is_file:
        return [str(OUT / "hello"), str(port)]
    return [program, configured("evl", EVL_CONF, port, run)]


def evl_uring_command(program, workload, port, run):
    """The same with io_uring."""
    return ["env", "EVL_IO=uring", *evl_command(program, workload, port, run)]


def nginx_command(program, _workload, port, run):
    """A worker under a master, as it is run in earnest."""
    return [program, "-e", str(run / "nginx.err"), "-c", configured("nginx", NGINX_CONF, port, run, "user {};\n")]


def h2o_command(program, _workload, port, run):
    """One thread, in the foreground."""
    return [program, "-c", configured("h2o", H2O_CONF, port, run, "user: {}\n")]


def floor_command(program, workload, port, _run):
    """Fixed bytes from memory."""
    return [program, str(port), str(workload.body_bytes), "close" if workload.close_each else "keep"]


SERVERS = (
    Server("evl", str(ROOT / "build/examples/webserv"), evl_command, make="examples"),
    Server("evl-uring", str(ROOT / "build/examples/webserv"), evl_uring_command, make="examples"),
    Server(BASELINE, "nginx", nginx_command, version=("-v",), package="nginx-light"),
    Server("h2o", "h2o", h2o_command, version=("-v",), package="h2o"),
    Server("floor", str(OUT / "floor"), floor_command, make="bench"),
)
