"""The servers that other tests rely on are the real ones."""

from __future__ import annotations

import psycopg
import redis


def test_postgres_is_real_and_a_database_is_a_tests_own(postgres_url: str, postgres_database: str) -> None:
    with psycopg.connect(postgres_database) as connection:
        row = connection.execute("SELECT version(), count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert row is not None
    assert row[0].startswith("PostgreSQL")
    assert row[1] == 0
    assert postgres_database != postgres_url


def test_valkey_is_real(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        assert client.info("server")["server_name"] == "valkey"
