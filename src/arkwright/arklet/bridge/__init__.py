"""The words between a base and the process of a module: frames on a socket. Light: every process of a module has it loaded.

frames      what is said, and by whom; lengths in front of it, so that it can be told apart
orders      what a base asks of the process that starts the others, and what that reports
records     lines in which log records cross
calls       calls of services, from any thread, in either direction
remote      objects in another process; values, answers: what crosses by value, and what answers a call
outlet      the way out of one end: frames gathered into writes
flow        how much may be on its way: per request, in each direction
"""
