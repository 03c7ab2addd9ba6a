// SPDX-License-Identifier: Apache-2.0

// Command kubernetes_messages prints how the built-in kinds look in protobuf, as JSON: for each message its fields by number.
// It is run when the embedded API shall know another version of Kubernetes:
//
//	go run . > ../../src/arkwright/apiserver/wire/messages.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling "k8s.io/api/autoscaling/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Field is one field of a message. Name: as in JSON, "" where its own fields stand in the message around it.
// Type: a scalar of protobuf, or the name of a message. IsPointer: Go tells nothing from zero.
type Field struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	IsRepeated bool   `json:"repeated,omitempty"`
	IsMap      bool   `json:"map,omitempty"`
	IsPointer  bool   `json:"pointer,omitempty"`
}

var roots = []any{
	core.Namespace{}, core.Pod{}, core.Service{}, core.Event{}, core.ConfigMap{}, core.Secret{}, core.ServiceAccount{},
	core.Node{}, core.Endpoints{}, discovery.EndpointSlice{}, events.Event{}, policy.Eviction{},
	apps.Deployment{}, apps.ReplicaSet{}, coordination.Lease{}, autoscaling.Scale{},
	rbac.Role{}, rbac.RoleBinding{}, rbac.ClusterRole{}, rbac.ClusterRoleBinding{},
	authentication.SelfSubjectReview{}, authentication.TokenReview{}, authorization.SelfSubjectAccessReview{},
	authorization.SelfSubjectRulesReview{}, authorization.SubjectAccessReview{}, authorization.LocalSubjectAccessReview{},
	meta.DeleteOptions{}, meta.Timestamp{}, runtime.Unknown{},
}

func main() {
	found := map[string]map[string]Field{}
	for _, root := range roots {
		collect(reflect.TypeOf(root), found)
	}
	// These have code of their own instead of tags.
	found["api/resource.Quantity"] = map[string]Field{"1": {Name: "string", Type: "string"}}
	found["meta/v1.Time"] = found["meta/v1.Timestamp"]
	found["meta/v1.MicroTime"] = found["meta/v1.Timestamp"]
	text, err := json.Marshal(found)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, strings.ReplaceAll(string(text), "}},", "}},\n"))
}

// messageName is a Go type with the end of its package's path, as in core/v1.Pod.
func messageName(of reflect.Type) string {
	parts := strings.Split(of.PkgPath(), "/")
	return strings.Join(parts[len(parts)-2:], "/") + "." + of.Name()
}

func collect(message reflect.Type, found map[string]map[string]Field) {
	if found[messageName(message)] != nil {
		return
	}
	fields := map[string]Field{}
	found[messageName(message)] = fields
	for i := range message.NumField() {
		field := message.Field(i)
		words := strings.Split(field.Tag.Get("protobuf"), ",")
		if len(words) < 2 {
			continue
		}
		made := Field{Name: nameOf(field)}
		made.Type = typeOf(field.Type, &made, found)
		fields[words[1]] = made
	}
}

func nameOf(field reflect.StructField) string {
	name, rest, _ := strings.Cut(field.Tag.Get("json"), ",")
	if strings.Contains(rest, "inline") {
		return ""
	}
	if name == "-" || name == "" {
		return strings.ToLower(field.Name[:1]) + field.Name[1:]
	}
	return name
}

func typeOf(of reflect.Type, made *Field, found map[string]map[string]Field) string {
	switch of.Kind() {
	case reflect.Pointer:
		made.IsPointer = true
		return typeOf(of.Elem(), made, found)
	case reflect.Map:
		made.IsMap = true
		return typeOf(of.Elem(), made, found)
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		made.IsRepeated = true
		return typeOf(of.Elem(), made, found)
	case reflect.Struct:
		collect(of, found)
		return messageName(of)
	case reflect.Float64:
		return "double"
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
		return of.Kind().String()
	}
	panic(fmt.Sprint("no protobuf for ", of))
}
