import { PROFILE_NAMES } from '../emulator/profiles/profile.js'
import { describeProfiles } from './describe-profile.js'

const clouds = new Set(['acr', 'gar', 'gcr', 'docker-hub', 'ecr', 'ecr-public', 'ghcr', 'gitlab'])

describeProfiles(PROFILE_NAMES.filter((name) => !clouds.has(name)))
