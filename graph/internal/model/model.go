// Package model holds the Go types of the schema that are more than the upstream's wire types. It stands apart from
// package graph because the generated code imports it.
package model

import "cvmgraph/restclient"

// Cvm is a CVM in the list it was asked for: the upstream's item under its global id.
type Cvm struct {
	// ID is unique in the list.
	ID string
	*restclient.Cvm
}

// IsNode marks Cvm as a Node of the schema.
func (Cvm) IsNode() {}
