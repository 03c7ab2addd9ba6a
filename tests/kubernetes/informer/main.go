// SPDX-License-Identifier: Apache-2.0

// Command informer keeps a copy of a namespace's configmaps with client-go, and says what it sees, a JSON document a line.
// Its arguments are a kubeconfig and a namespace; with "write" behind them it writes an object of each kind that controllers write,
// and with "tools" it does what controllers are made of.
package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	apps "k8s.io/api/apps/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		panic(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	if len(os.Args) > 3 {
		if os.Args[3] == "tools" {
			useTools(config, client, os.Args[2])
		} else {
			writeOneOfEach(client, os.Args[2])
		}
		return
	}
	follow(client, os.Args[2])
}

func say(what string, object any) {
	line := map[string]any{"event": what}
	if config, is := object.(*core.ConfigMap); is {
		line["name"], line["data"], line["version"] = config.Name, config.Data, config.ResourceVersion
	}
	text, _ := json.Marshal(line)
	os.Stdout.Write(append(text, '\n'))
}

func follow(client kubernetes.Interface, namespace string) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { say("added", object) },
		UpdateFunc: func(before, object any) {
			if before.(*core.ConfigMap).ResourceVersion != object.(*core.ConfigMap).ResourceVersion {
				say("updated", object) // a new list tells of all objects
			}
		},
		DeleteFunc: func(object any) {
			if unseen, is := object.(cache.DeletedFinalStateUnknown); is {
				say("found gone", unseen.Obj) // a new list did not have it: no watch has said so
				return
			}
			say("deleted", object)
		},
	})
	factory.Start(context.Background().Done())
	cache.WaitForCacheSync(context.Background().Done(), informer.HasSynced)
	say("synced", nil)
	select {}
}

func writeOneOfEach(client kubernetes.Interface, namespace string) {
	always, replicas, holder, none := context.Background(), int32(0), "me", meta.CreateOptions{}
	labels := map[string]string{"app": "typed"}
	renewed := meta.NewMicroTime(time.Unix(1790000000, 123456000))
	pod := core.PodSpec{Containers: []core.Container{{
		Name: "base", Image: "base:1",
		Ports: []core.ContainerPort{{ContainerPort: 8080}},
		Env:   []core.EnvVar{{Name: "IP", ValueFrom: &core.EnvVarSource{FieldRef: &core.ObjectFieldSelector{FieldPath: "status.podIP"}}}},
		ReadinessProbe: &core.Probe{ProbeHandler: core.ProbeHandler{
			HTTPGet: &core.HTTPGetAction{Path: "/health", Port: intstr.FromInt32(1238)}}},
	}}}
	about := meta.ObjectMeta{Name: "typed", Labels: labels}
	errors := []error{}
	keep := func(_ any, err error) { errors = append(errors, err) }
	keep(client.CoreV1().Pods(namespace).Create(always, &core.Pod{ObjectMeta: about, Spec: pod}, none))
	keep(client.CoreV1().Secrets(namespace).Create(always, &core.Secret{ObjectMeta: about, Data: map[string][]byte{"a": []byte("\x00b")}}, none))
	keep(client.CoreV1().Services(namespace).Create(always, &core.Service{ObjectMeta: about, Spec: core.ServiceSpec{
		Selector: labels, Ports: []core.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}}}, none))
	keep(client.AppsV1().Deployments(namespace).Create(always, &apps.Deployment{ObjectMeta: about, Spec: apps.DeploymentSpec{
		Replicas: &replicas, Selector: &meta.LabelSelector{MatchLabels: labels},
		Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: labels}, Spec: pod}}}, none))
	keep(client.CoordinationV1().Leases(namespace).Create(always, &coordination.Lease{ObjectMeta: about,
		Spec: coordination.LeaseSpec{HolderIdentity: &holder, RenewTime: &renewed}}, none))
	for _, err := range errors {
		if err != nil {
			panic(err)
		}
	}
}
