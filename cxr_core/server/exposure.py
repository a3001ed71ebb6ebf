"""What this server is: the address that Streamlit was told, the login in its secrets, what the environment adds.

``serving().beyond`` says whether anybody but this machine may reach it. A running server keeps what held when it
started: a settings file that is edited later changes neither the address nor who is let in.
"""

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from cxr_core.errors import ConfigError
from cxr_core.server.serving import Serving

SECRET_LENGTH = 32

_started: list[Serving] = []


def serving() -> Serving:
    """How this dashboard is served. Raises ConfigError where ``CXR_HOSTS``, ``CXR_OPEN`` or the secrets are unclear."""
    return _started[-1] if _started else told()


def told() -> Serving:
    """What settings, environment and secrets say right now. Raises ConfigError."""
    return Serving.told(st.get_option("server.address"), login=login_configured())


def at_start() -> Serving:
    """Keep what holds now, for as long as this server runs. Raises ConfigError."""
    return correct(told())


def correct(serving: Serving) -> Serving:
    """From now on this is how the dashboard is served."""
    _started[:] = [serving]
    return serving


def login_configured() -> bool:
    """Whether the secrets have an ``[auth]`` section. Raises ConfigError where it could not protect anything."""
    try:
        if "auth" not in st.secrets:
            return False
        auth = st.secrets["auth"]
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return False
        # A login that was meant and is mistyped is not "no login".
        raise ConfigError(f"Streamlit's secrets cannot be read, so nobody knows whether to log in: {error}") from error
    if len(str(auth.get("cookie_secret", ""))) < SECRET_LENGTH:
        raise ConfigError(
            f"[auth] in Streamlit's secrets: expected a cookie_secret of {SECRET_LENGTH} characters or more, which "
            "sign the cookie of a login and which nobody can guess (docs/serving.md)."
        )
    return True
