// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The kinds as a platform's own programs have them: structures by value, so that what nobody has set is written as its zero.

var GroupVersion = schema.GroupVersion{Group: "serverless.alipay.com", Version: "v1alpha1"}

type Archive struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Url     string `json:"url"`
	Type    string `json:"type"`
	Md5     string `json:"md5"`
}

type Service struct {
	EnableModuleService bool               `json:"enableModuleService"`
	Port                int32              `json:"port"`
	TargetPort          intstr.IntOrString `json:"targetPort"`
}

type Operation struct {
	BatchCount                  int32               `json:"batchCount"`
	UseBeta                     bool                `json:"useBeta"`
	NeedConfirm                 bool                `json:"needConfirm"`
	GrayTimeBetweenBatchSeconds int32               `json:"grayTimeBetweenBatchSeconds"`
	UpgradePolicy               string              `json:"upgradePolicy"`
	MaxUnavailable              *intstr.IntOrString `json:"maxUnavailable"`
	ServiceStrategy             Service             `json:"serviceStrategy"`
}

type Scheduling struct {
	SchedulingPolicy string `json:"schedulingPolicy"`
}

type Inner struct {
	Module Archive `json:"module"`
}

type Template struct {
	meta.ObjectMeta `json:"metadata"`
	Spec            Inner `json:"spec"`
}

type DeploymentSpec struct {
	BaseDeploymentName      string     `json:"baseDeploymentName"`
	Template                Template   `json:"template"`
	Replicas                int32      `json:"replicas"`
	OperationStrategy       Operation  `json:"operationStrategy"`
	SchedulingStrategy      Scheduling `json:"schedulingStrategy"`
	MinReadySeconds         int32      `json:"minReadySeconds"`
	Pause                   bool       `json:"pause"`
	ConfirmBatchNum         int32      `json:"confirmBatchNum"`
	RevisionHistoryLimit    *int32     `json:"revisionHistoryLimit"`
	ProgressDeadlineSeconds *int32     `json:"progressDeadlineSeconds"`
	Strategy                string     `json:"strategy"` // of an older version: nobody knows it any more
}

type Condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	LastTransitionTime meta.Time `json:"lastTransitionTime"`
	LastUpdateTime     meta.Time `json:"lastUpdateTime"`
	Reason             string    `json:"reason"`
	Message            string    `json:"message"`
}

type ReleaseStatus struct {
	UpdateRevision        string    `json:"updateRevision"`
	CurrentBatch          int32     `json:"currentBatch"`
	RealBatchCount        int32     `json:"realBatchCount"`
	OriginalDeltaReplicas int32     `json:"originalDeltaReplicas"`
	Progress              string    `json:"progress"`
	BatchProgress         string    `json:"batchProgress"`
	LastTransitionTime    meta.Time `json:"lastTransitionTime"`
	NextReconcileTime     meta.Time `json:"nextReconcileTime"`
}

type Status struct {
	Replicas           int32          `json:"replicas"`
	AvailableReplicas  int32          `json:"availableReplicas"`
	ReadyReplicas      int32          `json:"readyReplicas"`
	UpdatedReplicas    int32          `json:"updatedReplicas"`
	ObservedGeneration int64          `json:"observedGeneration"`
	Conditions         []Condition    `json:"conditions"`
	ReleaseStatus      *ReleaseStatus `json:"releaseStatus"`
}

type ModuleDeployment struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            DeploymentSpec `json:"spec"`
	Status          Status         `json:"status"`
}

type ReplicaSetSpec struct {
	Selector           meta.LabelSelector `json:"selector"`
	Template           Template           `json:"template"`
	Replicas           int32              `json:"replicas"`
	OperationStrategy  Operation          `json:"operationStrategy"`
	SchedulingStrategy Scheduling         `json:"schedulingStrategy"`
	MinReadySeconds    int32              `json:"minReadySeconds"`
}

type ReplicaSetStatus struct {
	Replicas           int32       `json:"replicas"`
	AvailableReplicas  int32       `json:"availableReplicas"`
	ObservedGeneration int64       `json:"observedGeneration"`
	Conditions         []Condition `json:"conditions"`
}

type ModuleReplicaSet struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            ReplicaSetSpec   `json:"spec"`
	Status          ReplicaSetStatus `json:"status"`
}

type ModuleSpec struct {
	Selector      meta.LabelSelector `json:"selector"`
	Module        Archive            `json:"module"`
	UpgradePolicy string             `json:"upgradePolicy"`
}

type ModuleStatus struct {
	Status             string      `json:"status"`
	LastTransitionTime meta.Time   `json:"last_transition_time"`
	Conditions         []Condition `json:"conditions"`
}

type Module struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            ModuleSpec   `json:"spec"`
	Status          ModuleStatus `json:"status"`
}

type ModuleTemplate struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Template        Template `json:"template"`
}

type ModuleDeploymentList struct {
	meta.TypeMeta `json:",inline"`
	meta.ListMeta `json:"metadata"`
	Items         []ModuleDeployment `json:"items"`
}

type ModuleReplicaSetList struct {
	meta.TypeMeta `json:",inline"`
	meta.ListMeta `json:"metadata"`
	Items         []ModuleReplicaSet `json:"items"`
}

type ModuleList struct {
	meta.TypeMeta `json:",inline"`
	meta.ListMeta `json:"metadata"`
	Items         []Module `json:"items"`
}

type ModuleTemplateList struct {
	meta.TypeMeta `json:",inline"`
	meta.ListMeta `json:"metadata"`
	Items         []ModuleTemplate `json:"items"`
}

func copied[T any](from *T) *T {
	said, err := json.Marshal(from)
	if err != nil {
		panic(err)
	}
	into := new(T)
	if err := json.Unmarshal(said, into); err != nil {
		panic(err)
	}
	return into
}

func (one *ModuleDeployment) DeepCopyObject() runtime.Object     { return copied(one) }
func (one *ModuleReplicaSet) DeepCopyObject() runtime.Object     { return copied(one) }
func (one *Module) DeepCopyObject() runtime.Object               { return copied(one) }
func (one *ModuleTemplate) DeepCopyObject() runtime.Object       { return copied(one) }
func (one *ModuleDeploymentList) DeepCopyObject() runtime.Object { return copied(one) }
func (one *ModuleReplicaSetList) DeepCopyObject() runtime.Object { return copied(one) }
func (one *ModuleList) DeepCopyObject() runtime.Object           { return copied(one) }
func (one *ModuleTemplateList) DeepCopyObject() runtime.Object   { return copied(one) }

// AddToScheme makes the kinds known.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&ModuleDeployment{}, &ModuleDeploymentList{}, &ModuleReplicaSet{}, &ModuleReplicaSetList{},
		&Module{}, &ModuleList{}, &ModuleTemplate{}, &ModuleTemplateList{})
	meta.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
