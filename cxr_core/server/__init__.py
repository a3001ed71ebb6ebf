"""The server's side of the dashboard: who may reach it, and what no request gets past.

    middleware()        # for dashboard.py: refuses unknown hosts, closes what Streamlit leaves open
    lifespan            # tidies up when the server starts
    serving().beyond    # whether other machines reach it, and so what pages may open

Apart from ``ui``, which a server loads with its first page and not before.
"""
