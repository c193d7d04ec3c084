import pytest


@pytest.fixture
def counter(request):
    """The name of a counter that no other test has, since tests run side by side."""
    return request.node.name.replace("[", "-").replace("]", "")
