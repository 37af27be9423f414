package main

// Resolver is where gqlgen puts the resolvers.
type Resolver struct{}
