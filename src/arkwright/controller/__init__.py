"""The loop: watch, remember, queue, observe, plan, execute."""
