"""The suite itself: it reaches this machine and nothing else."""

import socket

import pytest


@pytest.mark.parametrize("address", ["93.184.216.34", "example.com", "10.0.0.1"])
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_to_elsewhere_fails(method: str, address: str) -> None:
    with socket.socket() as sock, pytest.raises(AssertionError, match=address):
        getattr(sock, method)((address, 80))


def test_a_connection_to_this_machine_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_a_unix_socket_is_not_the_network(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = str(tmp_path_factory.mktemp("s") / "socket")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
