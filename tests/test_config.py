"""What the environment says of the mail server, and what it may not say."""

from typing import Any

import pytest

from app.config import Config, ConfigError

MAIL: dict[str, Any] = {"smtp_host": "mail.example.org", "smtp_from": "signal@example.org"}
SIGNED_IN = MAIL | {"smtp_username": "signal", "smtp_password": "a secret"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        MAIL,
        MAIL | {"smtp_tls": "none", "smtp_port": 25},
        SIGNED_IN,
        SIGNED_IN | {"smtp_tls": "tls", "smtp_port": 465},
        SIGNED_IN | {"smtp_tls": "none", "smtp_host": "127.0.0.1"},
    ],
)
def test_a_mail_server_is_taken(given: dict[str, Any]) -> None:
    assert Config.load(**given).smtp_host == given.get("smtp_host", "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"smtp_host": "mail.example.org"}, "SMTP_FROM: missing"),
        ({"smtp_from": "signal@example.org"}, "SMTP_HOST: missing"),
        (MAIL | {"smtp_username": "signal"}, "SMTP_PASSWORD: missing"),
        (MAIL | {"smtp_password": "a secret"}, "SMTP_USERNAME: missing"),
        (MAIL | {"smtp_from": "Signal <signal@example.org>"}, "SMTP_FROM: must be an address"),
        (MAIL | {"smtp_from": "a@example.org\r\nBcc: b@example.org"}, "SMTP_FROM: must be an address"),
        (MAIL | {"smtp_host": "mail example"}, "SMTP_HOST: must be a host's name"),
        (MAIL | {"smtp_host": "mail.example.org\nQUIT"}, "SMTP_HOST: must be a host's name"),
        ({"redis_url": "localhost:6379"}, "REDIS_URL: must be an address such as redis://"),
        ({"redis_url": "redis://cache:a secret"}, "REDIS_URL: must be an address such as redis://"),
        ({"redis_url": "redis://cache:70000"}, "REDIS_URL: Port out of range"),
        (MAIL | {"smtp_port": 0}, "SMTP_PORT"),
        (MAIL | {"smtp_tls": "perhaps"}, "SMTP_TLS"),
        (SIGNED_IN | {"smtp_tls": "none"}, "SMTP_TLS: none would send the password in the clear"),
    ],
)
def test_a_mistake_stops_the_start_with_the_names_of_its_variables(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Config.load(**given)
    assert says in str(refusal.value)
    assert "a secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://[::1]:6379/0",
        "rediss://name:wo:rd@queue.example.org:6380/1?timeout=2",
        "unix:///run/redis.sock?db=1",
    ],
)
def test_a_queue_is_taken_in_each_of_its_forms(url: str) -> None:
    assert Config.load(redis_url=url).redis_url == url
