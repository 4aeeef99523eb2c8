// Package native contains a test that runs the services of docker-compose.yml without containers.
// The test uses the start order, commands, variables and health checks of docker-compose.yml, and
// replaces only host names, ports and paths. As the database, the test uses the PostgreSQL that is
// installed on this machine. The test needs Linux.
package native
