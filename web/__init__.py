"""The doors: HTTP API, chat page and the command line `yuntu`."""
