"""A table on a page, harmless where its toolbar copies or downloads it: no text in it begins a spreadsheet's formula.

sheet(frame, hide_index=True)       # further arguments: those of ``st.dataframe``
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.sheets import defused, safe


def sheet(table: pd.DataFrame | pd.Series, column_config: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Draw it; what ``st.dataframe`` returns (the selection, where there is one)."""
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    columns = {safe(name): config for name, config in column_config.items()} if column_config else None
    return st.dataframe(defused(frame), column_config=columns, **options)
