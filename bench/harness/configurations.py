# SPDX-License-Identifier: MIT OR Apache-2.0
"""Configuration files of the servers, on the same terms for all: one worker, no access log, sendfile
where there is a choice, room for the idle connections, no limit of requests that a run could reach."""

import os
import pwd
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "bench" / "out"
WWW = OUT / "www"
REQUESTS = 1_000_000_000
BACKLOG = 4096
CONNECTIONS = 9_984  # lighttpd wants two descriptors for each

EVL = """\
worker_processes 1;
access_log off;
keepalive_requests {requests};
keepalive_timeout 600s;
server {{
    listen 127.0.0.1:{port} backlog={backlog};
    root {www};
}}
"""

NGINX = """\
daemon off;
{user}worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {run}/nginx.pid;
error_log {run}/nginx.err crit;
events {{ worker_connections {connections}; }}
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
    {more}
    server {{
        listen 127.0.0.1:{port} backlog={backlog};
        root {www};
        location = /hello {{ default_type text/plain; return 200 "Hello, World!"; }}
    }}
}}
"""
NGINX_CACHE = "open_file_cache max=1000; open_file_cache_valid 60s; open_file_cache_min_uses 1;"

# h2o and lighttpd have no directive that answers with a fixed text: their hello is a file of 13 bytes.
H2O = """\
{user}num-threads: 1
max-connections: {connections}
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

LIGHTTPD = """\
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{www}"
server.errorlog = "{run}/lighttpd.err"
server.network-backend = "sendfile"
server.max-fds = {descriptors}
server.max-connections = {connections}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.max-read-idle = 600
server.listen-backlog = {backlog}
mimetype.assign = ( "" => "application/octet-stream" )
"""


def write(name, template, port, run, user="", more=""):
    """Writes a configuration file and returns its path. `user` is the line that names whom a server
    started as root becomes, which is root: it has to reach the files."""
    if user:
        user = user.format(pwd.getpwuid(0).pw_name) if os.geteuid() == 0 else ""
    file = run / f"{name}.conf"
    file.write_text(template.format(port=port, run=run, user=user, more=more, www=WWW, requests=REQUESTS,
                                    backlog=BACKLOG, connections=CONNECTIONS, descriptors=2 * CONNECTIONS))
    return str(file)
