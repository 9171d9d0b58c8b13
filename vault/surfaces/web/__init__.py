"""The web pages: server-rendered, complete without a script, better with one.

Handlers turn what the services return into the frozen dataclasses of `views`; templates turn those into
pages. A template never decides a right: what a viewer may do arrives as actions, what a viewer may see
as values.
"""
