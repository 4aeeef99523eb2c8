// Package deploy holds the files for a deployment beside docker-compose.yml and Dockerfile at the
// top: the dynamic configuration of the Temporal server and an example of the settings. The tests
// of the package compare all these files with the settings that the programs in the images read.
// Outside its tests the package has no code and imports nothing of Oppflow.
package deploy
