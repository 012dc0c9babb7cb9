import { describeProfiles } from './describe-profile.js'

describeProfiles(['acr', 'gar', 'gcr', 'docker-hub', 'ecr', 'ecr-public', 'ghcr', 'gitlab'])
