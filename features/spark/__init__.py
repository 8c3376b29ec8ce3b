"""Spark: the catalogue's relational expression evaluated by a Spark session instead of DuckDB, to the same bits.

``features.spark.session``  the session: the user's own cluster, or local without any configuration
``features.spark.rows``     lead rows, in place of ``features.relational.evaluate``
"""
