// SPDX-License-Identifier: Apache-2.0

// Command goclient writes and reads every kind as a platform's program does, with types of its own and controller-runtime's client.
// Its arguments are a kubeconfig and a namespace. It says what came of each step, a JSON document a line.
package main

import (
	"context"
	"encoding/json"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var all = context.Background()

func say(step string, kind string, err error) {
	line := map[string]any{"step": step, "kind": kind, "error": ""}
	if err != nil {
		line["error"] = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(line)
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		panic(err)
	}
	scheme := runtime.NewScheme()
	AddToScheme(scheme)
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		panic(err)
	}
	namespace := os.Args[2]
	archive := Archive{Name: "provider", Version: "1.0.2", Url: "http://archives/provider.whl"}
	template := Template{Spec: Inner{Module: archive}}

	deployment := &ModuleDeployment{Spec: DeploymentSpec{BaseDeploymentName: "nowhere", Template: template}}
	replicaSet := &ModuleReplicaSet{Spec: ReplicaSetSpec{Template: template}}
	module := &Module{Spec: ModuleSpec{Module: archive}}
	for kind, one := range map[string]client.Object{
		"ModuleDeployment": deployment, "ModuleReplicaSet": replicaSet, "Module": module, "ModuleTemplate": &ModuleTemplate{Template: template},
	} {
		live(api, kind, namespace, one)
	}
	asksForAService(api, namespace, template)
	list(api, namespace)
}

// live is what befalls one object from its creation to its end.
func live(api client.Client, kind string, namespace string, one client.Object) {
	one.SetNamespace(namespace)
	one.SetName("of-a-program")
	one.SetLabels(map[string]string{"of": "a-program"})
	say("create", kind, api.Create(all, one))
	say("get", kind, api.Get(all, client.ObjectKeyFromObject(one), one))
	one.SetAnnotations(map[string]string{"note": "updated"})
	say("update", kind, api.Update(all, one))
	before := one.DeepCopyObject().(client.Object)
	one.SetAnnotations(map[string]string{"note": "patched"})
	say("patch", kind, api.Patch(all, one, client.MergeFrom(before)))
	if kind != "ModuleTemplate" {
		say("update status", kind, api.Status().Update(all, one))
	}
	say("delete", kind, api.Delete(all, one))
}

// asksForAService says what is refused, and what is not.
func asksForAService(api client.Client, namespace string, template Template) {
	for step, service := range map[string]Service{
		"service without port":        {EnableModuleService: true},
		"service":                     {EnableModuleService: true, Port: 1080},
		"service with a target":       {EnableModuleService: true, Port: 1080, TargetPort: intstr.FromInt32(8080)},
		"service with a named target": {EnableModuleService: true, Port: 1080, TargetPort: intstr.FromString("http")},
		"no service, a named target":  {TargetPort: intstr.FromString("")},
	} {
		one := &ModuleDeployment{Spec: DeploymentSpec{BaseDeploymentName: "nowhere", Template: template}}
		one.Spec.OperationStrategy.ServiceStrategy = service
		one.SetNamespace(namespace)
		one.SetGenerateName("service-")
		say(step, "ModuleDeployment", api.Create(all, one))
	}
}

func list(api client.Client, namespace string) {
	for kind, many := range map[string]client.ObjectList{
		"ModuleDeployment": &ModuleDeploymentList{}, "ModuleReplicaSet": &ModuleReplicaSetList{},
		"Module": &ModuleList{}, "ModuleTemplate": &ModuleTemplateList{},
	} {
		say("list", kind, api.List(all, many, client.InNamespace(namespace), client.MatchingLabels{"of": "a-program"}))
	}
}
