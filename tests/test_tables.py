"""Bringing a frame to its table, whether it is in shape already or not."""

import pandas as pd
import pytest

from sdrs_nb.tables import INVENTORY_TABLES, shape


@pytest.fixture(params=INVENTORY_TABLES)
def table(request):
    """Each table of an inventory."""
    return INVENTORY_TABLES[request.param]


@pytest.fixture
def shaped(table):
    """Two rows without a value, with a column of somebody's own at the end."""
    return shape(pd.DataFrame({"own": ["a", "b"]}), table)


def test_a_frame_in_shape_comes_back_the_same_with_an_index_of_its_own(shaped, table):
    """An index means nothing, so it does not stay; columns and dtypes do."""
    pd.testing.assert_frame_equal(shape(shaped.set_axis([5, 5]), table), shaped)


def test_a_frame_in_shape_comes_back_as_a_copy(shaped, table):
    """What is done to the one is not done to the other."""
    copy = shape(shaped, table)

    copy.loc[0, "own"] = "changed"

    assert shaped["own"].tolist() == ["a", "b"]


def test_columns_out_of_order_or_of_another_dtype_are_brought_to_the_table(shaped, table):
    """One column as objects, or all of them the other way round, end as the same frame."""
    first = shaped.columns[0]

    pd.testing.assert_frame_equal(shape(shaped[shaped.columns[::-1]], table), shaped)
    pd.testing.assert_frame_equal(shape(shaped.astype({first: object}), table), shaped)
