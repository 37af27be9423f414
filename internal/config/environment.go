package config

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const variablePrefix = "CVMGRAPH_"

// environment maps the names of variables that begin with CVMGRAPH_ to their values. It implements
// kong.Resolver, because kong's own env tag reads the environment of the process.
type environment map[string]string

// variables returns the variables whose names begin with a prefix. The first of repeated ones
// counts.
func variables(environ []string, prefix string) map[string]string {
	values := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if _, repeated := values[name]; !repeated && strings.HasPrefix(name, prefix) {
			values[name] = value
		}
	}
	return values
}

// Validate accepts all grammars.
func (environment) Validate(*kong.Application) error { return nil }

// Resolve returns the value of the flag's variable, or nil if the variable is not set.
func (env environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := env[variable(flag.Name)]
	if !ok || !isSetting(flag) {
		return nil, nil
	}
	return value, nil
}

// warnings returns a sorted list with one line for each variable that does not belong to a flag.
// Unknown variables are not errors, because Kubernetes defines some for a service with the name
// cvmgraph.
func (env environment) warnings(flags []string) []string {
	var names []string
	for _, flag := range flags {
		names = append(names, strings.TrimPrefix(variable(flag), variablePrefix))
	}
	var warnings []string
	for name := range env {
		bare := strings.TrimPrefix(name, variablePrefix)
		if !slices.Contains(names, bare) {
			warnings = append(warnings, "unknown environment variable "+name+didYouMean(variablePrefix, bare, names))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// misspelled returns the warnings that suggest the name of a variable.
func (env environment) misspelled(flags []string) []string {
	return slices.DeleteFunc(env.warnings(flags), func(w string) bool { return !strings.HasSuffix(w, "?") })
}

// variable returns the name of the environment variable of a flag.
func variable(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
