// Package native runs the services of docker-compose.yml without containers. The test runs the same
// programs in the same versions. The test uses the order, commands, variables and health checks of
// the file, and replaces only host names, ports and paths. The test uses the PostgreSQL that is
// installed on this machine. The package contains one test only, which needs Linux.
package native
