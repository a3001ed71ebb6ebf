"""A browser is known again by its token, however the server masks it."""

import pytest

from cxr_core.ui.run.viewings import unmasked


def test_masks_of_one_token_are_one_viewer() -> None:
    cookies = (
        "2|2d44eeab|7a847933657a01c0959d72be30294fd1|1795393267",
        "2|ae6d1010|f9ad8788e653ff7b16b48c05b300b16a|1795393267",
        "2|78d2cad5|2f125d4d30ec25bec00b56c065bf6baf|1795393267",
    )
    assert len({unmasked(cookie) for cookie in cookies}) == 1
    assert len(unmasked(cookies[0])) == 32


@pytest.mark.parametrize("cookie", ["", "abc", "1|aa|bb|1", "2|x|y|1", "2|aa|bb", "2||bb|1"])
def test_another_form_names_nobody(cookie: str) -> None:
    assert unmasked(cookie) == ""
