export { HeapBackend } from './heap-backend.js';
