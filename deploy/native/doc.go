// Package native runs the services of docker-compose.yml without containers. It runs the same programs in the same
// versions, with the order, commands, variables and health checks of the file. It uses the PostgreSQL that is
// installed here. It replaces only host names, ports and paths. The package holds one test only, which needs Linux.
package native
