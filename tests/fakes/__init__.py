"""Stand-ins for what lies outside: an agent's brain, its HTTP face, an in-memory Kubernetes API. Held to the real ones by contract tests."""


def plans_that_ended(controller, *results):
    """How many looks of a controller ended as "bug", "error"…: a test that passes in spite of them would lie."""
    return sum(
        sample.value
        for metric in controller.metrics.plans.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["result"] in results
    )
