"""A program in Go with types of its own, as platforms have them: what nobody has set is written as its zero (contract 2)."""

import asyncio
import json
import os
import subprocess

import pytest
from go_build import GO_CLIENT, built

from arkwright.model.resources import Kind

KINDS = ("ModuleDeployment", "ModuleReplicaSet", "Module", "ModuleTemplate")
STEPS = ("create", "get", "update", "patch", "delete", "list")


def _run(namespace):
    command = [built(GO_CLIENT), os.environ["KUBECONFIG"], namespace]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    said = map(json.loads, done.stdout.splitlines())
    return {(one["step"], one["kind"]): one["error"] for one in said}


@pytest.fixture
async def said(site):
    await site.stop_controller()  # nobody else writes
    return await asyncio.to_thread(_run, site.namespace)


async def test_zeros_of_a_program_in_go_are_taken_as_nothing_said(said):
    wanted = {(step, kind) for step in STEPS for kind in KINDS} | {("update status", kind) for kind in KINDS[:3]}
    assert wanted <= said.keys()
    assert {one: error for one, error in said.items() if error and one[0] != "service without port"} == {}


async def test_a_service_without_a_port_is_refused_in_words_that_name_it(said):
    refusal = said["service without port", "ModuleDeployment"]
    assert "spec.operationStrategy.serviceStrategy" in refusal
    assert "port is needed where enableModuleService is true: 1 to 65535" in refusal


async def test_a_release_of_zeros_runs(site):
    await site.add_pods(2)
    zeros = {
        "upgradePolicy": "",
        "maxUnavailable": None,
        "batchCount": 0,
        "serviceStrategy": {"port": 0, "targetPort": 0},
    }
    scheduling = {"schedulingPolicy": ""}
    await site.apply(
        version="1.0.2", replicas=2, operationStrategy=zeros, schedulingStrategy=scheduling, progressDeadlineSeconds=0
    )
    await site.until_progress("Completed", 1, 2)
    assert (await site.all(Kind.SERVICE)) == []
