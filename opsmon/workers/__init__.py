"""Act. One loop per file, with run_once() for tests and run() around it."""
