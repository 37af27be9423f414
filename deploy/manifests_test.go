package deploy_test

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// cluster has the objects of one build that the checks use.
type cluster struct {
	workloads []workload // Deployments
	services  []service
	budgets   []budget
	policies  []policy
	scalers   []scaler
	settings  map[string]map[string]string // ConfigMaps by name
	secrets   map[string]map[string]string // Secrets by name
}

type head struct {
	Kind     string
	Metadata struct{ Name string }
}

type labels map[string]string

// selects reports whether a pod has all of the labels. Empty labels select every pod.
func (l labels) selects(pod labels) bool {
	for name, value := range l {
		if pod[name] != value {
			return false
		}
	}
	return true
}

type selector struct {
	MatchLabels labels `yaml:"matchLabels"`
}

type workload struct {
	Metadata struct{ Name string }
	Spec     struct {
		Replicas *int
		Selector selector
		Template struct {
			Metadata struct{ Labels labels }
			Spec     pod
		}
	}
}

type pod struct {
	Automount       *bool `yaml:"automountServiceAccountToken"`
	ServiceLinks    *bool `yaml:"enableServiceLinks"`
	Grace           int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
	Volumes        []any
	HostNetwork    bool `yaml:"hostNetwork"`
	HostPID        bool `yaml:"hostPID"`
	HostIPC        bool `yaml:"hostIPC"`
}

type container struct {
	Name    string
	Image   string
	Command []string
	Args    []string
	Env     []variable
	EnvFrom []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Resources struct{ Requests, Limits map[string]string }
	Security  struct {
		Escalation   *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnly     bool  `yaml:"readOnlyRootFilesystem"`
		Privileged   bool
		RunAsUser    *int  `yaml:"runAsUser"`
		RunAsNonRoot *bool `yaml:"runAsNonRoot"`
		Capabilities struct{ Add, Drop []string }
	} `yaml:"securityContext"`
	StartupProbe   probe `yaml:"startupProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
}

// port returns the number of a port with a name or a number. If the container does not have the
// port, it returns "".
func (c container) port(wanted any) string {
	for _, p := range c.Ports {
		if number := fmt.Sprint(p.ContainerPort); fmt.Sprint(wanted) == p.Name || fmt.Sprint(wanted) == number {
			return number
		}
	}
	return ""
}

type variable struct {
	Name      string
	Value     string
	ValueFrom struct {
		SecretKeyRef struct {
			Name, Key string
			Optional  bool
		} `yaml:"secretKeyRef"`
	} `yaml:"valueFrom"`
}

type probe struct {
	HTTPGet struct {
		Path string
		Port any
	} `yaml:"httpGet"`
	TCPSocket struct{ Port any } `yaml:"tcpSocket"`
}

type service struct {
	Metadata struct{ Name string }
	Spec     struct {
		Selector labels
		Ports    []struct {
			Port       int
			TargetPort any `yaml:"targetPort"`
		}
	}
}

type budget struct {
	Spec struct {
		MinAvailable int `yaml:"minAvailable"`
		Selector     selector
	}
}

type policy struct {
	Metadata struct{ Name string }
	Spec     struct {
		PodSelector selector `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []rule
		Egress      []rule
	}
}

type rule struct {
	From, To []peer
	Ports    []struct{ Port any }
}

type peer struct {
	PodSelector       *selector `yaml:"podSelector"`
	NamespaceSelector *selector `yaml:"namespaceSelector"`
	IPBlock           *struct {
		CIDR   string
		Except []string
	} `yaml:"ipBlock"`
}

type scaler struct {
	Spec struct {
		Target      struct{ Name string } `yaml:"scaleTargetRef"`
		MinReplicas int                   `yaml:"minReplicas"`
		MaxReplicas int                   `yaml:"maxReplicas"`
	}
}

// read parses the documents of a build. Unknown fields are not errors, because make deploy-check
// validates the documents with the schemas of the cluster's API.
func read(built string) (cluster, error) {
	c := cluster{settings: map[string]map[string]string{}, secrets: map[string]map[string]string{}}
	for document := range strings.SplitSeq(built, "\n---\n") {
		var h head
		if err := yaml.Unmarshal([]byte(document), &h); err != nil {
			return c, err
		}
		var data struct {
			Data map[string]string `yaml:"data"`
		}
		var err error
		switch h.Kind {
		case "Deployment":
			c.workloads, err = add(c.workloads, document)
		case "Service":
			c.services, err = add(c.services, document)
		case "PodDisruptionBudget":
			c.budgets, err = add(c.budgets, document)
		case "NetworkPolicy":
			c.policies, err = add(c.policies, document)
		case "HorizontalPodAutoscaler":
			c.scalers, err = add(c.scalers, document)
		case "ConfigMap":
			err = yaml.Unmarshal([]byte(document), &data)
			c.settings[h.Metadata.Name] = data.Data
		case "Secret":
			err = yaml.Unmarshal([]byte(document), &data)
			c.secrets[h.Metadata.Name] = data.Data
		case "Namespace", "ServiceAccount":
		default:
			err = fmt.Errorf("there is no check for the kind %s", h.Kind)
		}
		if err != nil {
			return c, fmt.Errorf("%s %s: %w", h.Kind, h.Metadata.Name, err)
		}
	}
	return c, nil
}

func add[T any](list []T, document string) ([]T, error) {
	var object T
	err := yaml.Unmarshal([]byte(document), &object)
	return append(list, object), err
}
