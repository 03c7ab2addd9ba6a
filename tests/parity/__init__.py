"""A module behaves as the same application served alone: a table of applications, served both ways and compared.

    table            what a case is made of: an application, what it is asked, what else is compared
    cases_*          the cases, by subject; `cases` is all of them
    differences      what is not equal, and why
    alone, bases     serve a case: by uvicorn or gunicorn, and as a module in a base (`servers`: their processes)
    asking, talking  ask it: HTTP as bytes, WebSockets
    seen             what was seen of one way, and in what two ways differ

To add a case, write a `Case` into the file of its subject: a sentence, the code of `served/web.py`, what it is asked.
"""
