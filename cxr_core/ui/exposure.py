"""What this server is: the address that Streamlit was told, the login in its secrets, what the environment adds.

``serving().beyond`` says whether anybody but this machine may reach it.
"""

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from cxr_core.errors import ConfigError
from cxr_core.serving import Serving


def serving() -> Serving:
    """How this dashboard is served. Raises ConfigError where ``CXR_HOSTS`` or ``CXR_OPEN`` hold something else."""
    return Serving.told(st.get_option("server.address"), login=login_configured())


def login_configured() -> bool:
    """Whether the secrets have an ``[auth]`` section. Raises ConfigError where they cannot be read."""
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return False
        # A login that was meant and is mistyped is not "no login".
        raise ConfigError(f"Streamlit's secrets cannot be read, so nobody knows whether to log in: {error}") from error
