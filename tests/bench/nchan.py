"""nginx with nchan, the yardstick for pushing bytes: as Debian packs it, in a folder and at a port of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NGINX = Path("/usr/sbin/nginx")
MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_CONFIG = """
load_module {module};
daemon off; user root; worker_processes 1; worker_rlimit_nofile 20000; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 16000; use epoll; }}
http {{
  access_log off; keepalive_timeout 3600; tcp_nodelay on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /publish {{ client_max_body_size 1m; client_body_buffer_size 1m; nchan_publisher; nchan_channel_id bench;
      nchan_message_buffer_length 1; }}
    location = /live {{ nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest; }}
  }}
}}
"""


def is_there() -> bool:
    """Whether nginx and its module are installed."""
    return NGINX.exists() and MODULE.exists()


@contextmanager
def running(port: int) -> Iterator[int]:
    """nginx at this port of loopback; gives the worker's process id. Ends it."""
    with tempfile.TemporaryDirectory(prefix="opsmon-nchan-") as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(_CONFIG.format(module=MODULE, folder=folder, port=port))
        process = subprocess.Popen([NGINX, "-p", folder, "-c", config], stderr=subprocess.DEVNULL)
        try:
            yield _worker_of(process.pid)
        finally:
            process.terminate()
            process.wait(15)


def _worker_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(100):
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")
