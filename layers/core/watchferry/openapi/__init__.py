"""`GET /api/openapi.json`: OpenAPI 3.1 of everything, made from the code — routes, bodies, answers, the proxy's table.

A handler imports the model of its body where it takes it (`auth/bodies.py` and its like say why); that import is where
the body's schema is found. What it answers stands in its annotation, which mypy holds to what it does (answers.py).
Powertools' own OpenAPI is not used: it wants every handler's parameters to be models, and its validation answers in
another form than http-api.md's.
"""
