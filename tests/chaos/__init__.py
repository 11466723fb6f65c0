"""A Watchferry to which everything happens that may happen to it, in an order that a test chooses and can repeat.

A program is a list of actions. What a person, the schedule, the queues, the upstreams and the cloud do are actions; a
delivery carries interruptions: at its n-th call of DynamoDB, a queue or an upstream the worker dies, gets an error, has
the call repeated by its library, or is so slow that whole other actions — other workers' deliveries among them — happen
meanwhile. Everything is one thread of control, so a program always does the same.

`heal` ends all trouble; `problems` says what promise was broken.
"""
