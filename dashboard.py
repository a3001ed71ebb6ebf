"""Home: drop an X-ray; what data sets and runs there are, what to do next, and Quick start.

Also what ``streamlit run`` serves: imported by the server it is the app with its guard, run by the app it is the page.
"""

import streamlit as st

from cxr_core.server.guard import middleware
from cxr_core.server.tidy import lifespan


def home() -> None:
    """The page. What pages need is imported here: the server needs none of it."""
    from cxr_core import ui
    from cxr_core.runs import list_runs
    from cxr_core.runs.run import STARTER
    from cxr_core.settings import runs_dir
    from cxr_core.ui.predict import drop_here
    from cxr_core.ui.run import latest_datasets, latest_run, latest_runs, next_step, quick_start

    ui.page("Chest X-ray classification", ":material/radiology:")
    with ui.guarded():
        drop_here()
    with ui.guarded():
        # The starter model has a place of its own.
        runs = [run for run in list_runs(runs_dir()) if run.id != STARTER]
        datasets = ui.known_datasets()
        next_step(runs, datasets)
        quick_start(small=bool(runs))
        if runs:
            latest_run(runs)
            st.subheader("Latest runs", anchor=False)
            latest_runs(runs)
        if datasets:
            st.subheader("Data sets", anchor=False)
            latest_datasets(datasets)


if __name__ == "__main__":
    home()
else:
    # Streamlit looks for a line of this form. Every request passes the middleware first.
    app = st.App(__file__, middleware=middleware(), lifespan=lifespan)
