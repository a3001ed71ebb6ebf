"""The server's side of the dashboard: who may reach it (``exposure``), and what no request gets past (``guard``).

Apart from ``ui``, which a server loads with its first page and not before.
"""
