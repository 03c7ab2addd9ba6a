// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// useTools does with the API what controllers are made of, and says what came of each.
func useTools(config *rest.Config, client kubernetes.Interface, namespace string) {
	until, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	objects := dynamic.NewForConfigOrDie(config).Resource(configMaps).Namespace(namespace)
	for number := range 5 {
		made := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"a": "1"},
			"metadata": map[string]any{"name": fmt.Sprint("tool-", number), "labels": map[string]any{"of": "tools"}}}
		_, err := objects.Create(until, &unstructured.Unstructured{Object: made}, meta.CreateOptions{})
		tell("dynamic create", err, nil)
	}
	_, err := objects.Patch(until, "tool-0", types.StrategicMergePatchType, []byte(`{"data":{"b":"2"}}`), meta.PatchOptions{})
	tell("dynamic patch", err, nil)
	tellPages(until, client, namespace)
	tellMetadata(until, config, namespace)
	tellEvents(until, client, namespace)
	tellLeader(until, client, namespace)
}

func tell(step string, err error, found any) {
	line := map[string]any{"step": step, "found": found}
	if err != nil {
		line["error"] = err.Error()
	}
	text, _ := json.Marshal(line)
	os.Stdout.Write(append(text, '\n'))
}

func tellPages(until context.Context, client kubernetes.Interface, namespace string) {
	pages, names := 0, []string{}
	one := pager.New(func(_ context.Context, options meta.ListOptions) (runtime.Object, error) {
		pages++
		return client.CoreV1().ConfigMaps(namespace).List(until, options)
	})
	one.PageSize = 2
	err := one.EachListItem(until, meta.ListOptions{LabelSelector: "of=tools"}, func(object runtime.Object) error {
		names = append(names, object.(*core.ConfigMap).Name)
		return nil
	})
	tell("pages", err, []any{pages, names})
}

// tellMetadata follows objects by their metadata alone, as the garbage collector of a cluster does.
func tellMetadata(until context.Context, config *rest.Config, namespace string) {
	client := metadata.NewForConfigOrDie(config)
	factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, namespace, nil)
	informer := factory.ForResource(configMaps).Informer()
	changed := make(chan string, 10)
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, object any) {
		changed <- object.(*meta.PartialObjectMetadata).Labels["of"]
	}})
	factory.Start(until.Done())
	is := cache.WaitForCacheSync(until.Done(), informer.HasSynced)
	names := []string{}
	for _, one := range informer.GetStore().List() {
		if found := one.(*meta.PartialObjectMetadata); found.Labels["of"] == "tools" {
			names = append(names, found.Name)
		}
	}
	sort.Strings(names)
	tell("metadata", nil, []any{is, names})
	patch := []byte(`{"metadata":{"labels":{"of":"others"}}}`)
	_, err := client.Resource(configMaps).Namespace(namespace).Patch(until, "tool-4", types.MergePatchType, patch, meta.PatchOptions{})
	select {
	case label := <-changed:
		tell("metadata watch", err, label)
	case <-until.Done():
		tell("metadata watch", until.Err(), nil)
	}
}

func tellEvents(until context.Context, client kubernetes.Interface, namespace string) {
	about := &core.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: "tool-0", UID: "u"}
	old := record.NewBroadcaster()
	old.StartRecordingToSink(&typed.EventSinkImpl{Interface: client.CoreV1().Events(namespace)})
	recorder := old.NewRecorder(scheme.Scheme, core.EventSource{Component: "tools"})
	recorder.Event(about, core.EventTypeNormal, "Old", "told once")
	recorder.Event(about, core.EventTypeNormal, "Old", "told once")
	recent := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	recent.StartRecordingToSink(until.Done())
	recent.NewRecorder(scheme.Scheme, "tools").Eventf(about, nil, core.EventTypeWarning, "Recent", "Testing", "told %d", 1)
	for _, one := range []struct {
		reason string
		count  int32
	}{{"Old", 2}, {"Recent", 0}} {
		found, err := eventOf(until, client, namespace, one.reason, one.count)
		tell("event "+one.reason, err, found)
	}
	listed, err := client.EventsV1().Events(namespace).List(until, meta.ListOptions{FieldSelector: "reason=Old"})
	if err == nil && len(listed.Items) == 1 {
		tell("event as the other kind", nil, []any{listed.Items[0].Note, listed.Items[0].Regarding.Name, listed.Items[0].DeprecatedCount})
		return
	}
	tell("event as the other kind", err, nil)
}

// eventOf waits until there is one, counted as often.
func eventOf(until context.Context, client kubernetes.Interface, namespace string, reason string, count int32) (any, error) {
	for {
		listed, err := client.CoreV1().Events(namespace).List(until, meta.ListOptions{FieldSelector: "reason=" + reason})
		if err != nil {
			return nil, err
		}
		for _, one := range listed.Items {
			if one.Count == count {
				return []any{one.Message, one.InvolvedObject.Name, one.Source.Component + one.ReportingController, one.Type}, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func tellLeader(until context.Context, client kubernetes.Interface, namespace string) {
	mine, leave := context.WithCancel(until)
	lock := &resourcelock.LeaseLock{LeaseMeta: meta.ObjectMeta{Name: "tools", Namespace: namespace},
		Client: client.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: "me"}}
	leaderelection.RunOrDie(mine, leaderelection.LeaderElectionConfig{Lock: lock, ReleaseOnCancel: true,
		LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				found, err := client.CoordinationV1().Leases(namespace).Get(until, "tools", meta.GetOptions{})
				tell("leads", err, *found.Spec.HolderIdentity)
				leave()
			},
			OnStoppedLeading: func() {},
		}})
}
