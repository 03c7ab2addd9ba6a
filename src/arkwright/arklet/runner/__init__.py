"""What runs in the processes of modules. Light: what is loaded here is each module's memory.

warm        the process that the others are forked from: preloads, forks, reaps
preloading  which imports a process may share with its forks
warming     first runs, which change much memory, made once for all forks
fresh       the same for one that cannot be forked: an interpreter of its own
module      one module's process: its import, its application's life, its end
bridge      the connection to the base; requests: each as ASGI calls and frames
services    services of the base and of other modules, as it sees them, and its own
"""
