"""The deployment of template.yaml, one path for AWS and for the laptop, and the local cloud for the latter.

up · down · deploy     the commands
settings               what the owner says: template parameters and secrets, from the environment
deployment             settings → secrets, sam build, sam deploy, page → a stack
ministack              the local cloud: a process with a port and a folder; run_ministack is that process
stack                  what was deployed, as .local/stack.json says it, and how to reach it
tools                  MiniStack and the SAM CLI, each in an environment of its own
"""
