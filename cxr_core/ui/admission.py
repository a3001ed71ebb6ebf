"""Who may see a page, asked on every page, since each runs on its own: ``admit()`` stops it for everybody else.

The server's guard has refused most of it before; this holds as well where a page was started without that guard
(``streamlit run pages/1_Dataset.py``), and it is where a person logs in and out.
"""

from collections.abc import Callable
from typing import NoReturn

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cxr_core import activity
from cxr_core.activity import Actor
from cxr_core.errors import ConfigError
from cxr_core.server import exposure, guard
from cxr_core.server.login import too_old
from cxr_core.server.serving import Serving

# What a login provider may call a person, the best first.
NAMES = ("email", "preferred_username", "name", "sub")

Plain = Callable[[str], str]


def admit(plain: Plain) -> None:
    """Go on where the page may be shown to who asks for it; else say why not, and stop.

    ``plain`` takes the meaning of signs out of a text: names come from outside.
    """
    activity.from_pages(actor, lambda sentence: warn(plain(sentence)))
    try:
        serving = exposure.serving()
    except ConfigError as error:
        _refuse(plain(str(error)))
    headers = st.context.headers
    # Without any header nobody asked over the network: a test of the page.
    if headers and not serving.serves(headers.get("Host")):
        _refuse(plain(guard.unknown_host(headers.get("Host"))))
    if serving.refusal:
        _refuse(plain(serving.refusal))
    if serving.login:
        _login(serving, plain)
    elif serving.warning:
        st.warning(plain(serving.warning), icon=":material/lock_open:")
    if problem := activity.problem():
        st.warning(plain(problem), icon=":material/edit_off:")


def person() -> str | None:
    """What the provider calls the person who has logged in, or a proxy the one it has let through; None for nobody.

    Without a login Streamlit knows of a person only by the headers in ``server.trustedUserHeaders``.
    """
    known = st.user.get("is_logged_in") if exposure.serving().login else st.get_option("server.trustedUserHeaders")
    if not known:
        return None
    return next((str(st.user[name]) for name in NAMES if st.user.get(name)), None)


def actor() -> Actor | None:
    """Who acts on the page at work: who has logged in; else, where only this machine gets here, its account."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    unknown = activity.NOBODY if exposure.serving().beyond else activity.account()
    return Actor(person() or unknown, "page")


def warn(sentence: str) -> bool:
    """Show a warning on the page at work; whether there is one."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return False
    st.warning(sentence, icon=":material/edit_off:")
    return True


def _login(serving: Serving, plain: Plain) -> None:
    claims = {str(claim): value for claim, value in st.user.items()}
    if not st.user.get("is_logged_in") or too_old(claims):
        st.info("Log in to see this page.", icon=":material/lock:")
        for provider in _providers():
            title = f"Log in with {plain(provider)}" if provider else "Log in"
            if st.button(title, key=f"log-in-{provider}", type="primary", icon=":material/login:"):
                _to_provider(provider, plain)
        st.stop()
    name = person() or "somebody without a name"
    with st.sidebar:
        st.caption(f"Logged in as {plain(name)}")
        if st.button("Log out", key="log-out", icon=":material/logout:"):
            st.logout()
    if not serving.lets_in(claims):
        _refuse(
            f"You are logged in as {plain(name)}, who is not among those that may see this dashboard. Whoever runs it "
            "can add an e-mail address, which the provider has verified, to CXR\\_USERS. "
            "Log out to use another account."
        )


def _providers() -> list[str | None]:
    """The named providers of ``[auth]``; None for the one without a name."""
    auth = st.secrets["auth"]
    named = [str(name) for name in auth if hasattr(auth[name], "keys") and name != "client_kwargs"]
    return [*([None] if "client_id" in auth or not named else []), *named]


def _to_provider(provider: str | None, plain: Plain) -> None:
    try:
        st.login(provider)
    except StreamlitAPIException as error:
        st.error(f"The login is not set up: {plain(str(error))}", icon=":material/error:")


def _refuse(reason: str) -> NoReturn:
    st.error(reason, icon=":material/block:")
    st.stop()
