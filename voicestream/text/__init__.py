"""The stages before speech: where text comes from, and what one request will speak.

``source`` reads, ``pipeline`` joins the stages (``clean``, ``markdown``,
``speakers``, ``segment``), ``plan`` decides what one request speaks.
"""
