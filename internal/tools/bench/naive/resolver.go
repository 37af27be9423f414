package main

// Resolver is the root resolver that gqlgen expects.
type Resolver struct{}
